"""What my page shows: texts, numbers, days and ranks, in English and Japanese.

Pure functions; the texts are the ones that the shop's customers were promised.
"""

from pointbook.page.display import Display, Status, display
from pointbook.page.locale import Locale, choose_locale

__all__ = ["Display", "Locale", "Status", "choose_locale", "display"]
