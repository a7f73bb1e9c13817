"""On schedule: send Shopify Flow the trigger of points that will expire soon."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.publishing.reminders import ReminderResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> ReminderResult:
    """Send it for each lot, once for each of the programme's reminder days.

    The schedule's event names the hours of a shop's day in which it is sent. Without them, as in a
    call by hand, it is sent at once.
    """
    hours = range(run.event.get("from_hour", 0), run.event.get("until_hour", 24))
    return container.reminder_sender().run(container.settings.shops, run.seconds, hours)
