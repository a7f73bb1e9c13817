"""On schedule: send Shopify Flow the trigger of points that will expire soon."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.publishing.reminders import ReminderResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> ReminderResult:
    """Send it for each lot, once for each of the programme's reminder days."""
    return container.reminder_sender().run(container.settings.shops, run.seconds)
