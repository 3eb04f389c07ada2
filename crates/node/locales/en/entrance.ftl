# The way to the inside face.
entrance-title = Enter the internal pages
entrance-text = This link works once. It opens a session of twelve hours in this browser.
entrance-button = Enter
