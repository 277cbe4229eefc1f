// The button that prints the page. Without this script the page has none.
"use strict";
for (const button of document.querySelectorAll("button[data-print]")) {
	button.hidden = false;
	button.addEventListener("click", () => print());
}
