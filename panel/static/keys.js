// The keys of a page that Streamlit has none for: "/" goes to its search.

const WRITES = "input, textarea, select, [contenteditable=true]";
const SEARCHES = "[data-testid=stMain] input[type=search]";

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target instanceof Element && event.target.closest(WRITES)) return;
  if (document.querySelector("[role=dialog]")) return;
  const search = [...document.querySelectorAll(SEARCHES)].find((each) => each.checkVisibility());
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});
