// A moment of a table in UTC, shown to whoever points at it.
//
// Streamlit draws tables on a canvas and has no tooltips for their cells (streamlit/streamlit#7564). Which cell is
// under the pointer only the grid itself knows, whose handle hangs in React's tree; what it says, with its offset from
// UTC, stands in the table that the grid keeps inside the canvas for screen readers. Where a later release hides
// either of them, nothing is shown.

const WAIT_MS = 250;
const MOMENT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d$/;

const tip = document.createElement("div");
tip.setAttribute("role", "tooltip");
tip.dataset.testid = "utc";
tip.popover = "manual";
tip.style.cssText =
  "position:fixed;inset:auto;margin:0;padding:.25rem .5rem;border-radius:6px;pointer-events:none;white-space:nowrap;" +
  "font-size:.8125rem;line-height:1.4;border:1px solid color-mix(in srgb,currentColor 18%,transparent);" +
  "box-shadow:0 2px 10px rgb(0 0 0/.16)";

let pointed; // the cell that is shown, or about to be
let waiting;

function gridOf(canvas) {
  const name = Object.keys(canvas).find((each) => each.startsWith("__reactFiber$"));
  for (let fiber = canvas[name]; fiber; fiber = fiber.return) {
    if (fiber.ref?.current?.getMouseArgsForPosition) return fiber.ref.current;
  }
}

function under(event) {
  const table = event.target.closest?.("[data-testid=stDataFrame]");
  const canvas = table?.querySelector("canvas[data-testid=data-grid-canvas]");
  if (!canvas) return;
  const found = gridOf(canvas)?.getMouseArgsForPosition(event.clientX, event.clientY);
  if (found?.kind !== "cell") return;
  const cell = canvas.querySelector(`#glide-cell-${found.location.join("-")}`);
  return cell && MOMENT.test(cell.textContent) ? { cell, bounds: found.bounds } : undefined;
}

function show({ cell, bounds }) {
  const at = new Date(cell.textContent.replace(" ", "T"));
  tip.textContent = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const { color, backgroundColor, fontFamily } = getComputedStyle(document.querySelector("[data-testid=stApp]"));
  Object.assign(tip.style, { color, backgroundColor, fontFamily });
  document.body.append(tip);
  tip.showPopover();
  const above = bounds.y - tip.offsetHeight - 4;
  tip.style.top = `${above > 0 ? above : bounds.y + bounds.height + 4}px`;
  tip.style.left = `${Math.max(8, Math.min(bounds.x, innerWidth - tip.offsetWidth - 8))}px`;
}

function hide() {
  clearTimeout(waiting);
  changes.disconnect();
  tip.remove();
  pointed = undefined;
}

// The rows under a pointer that rests may become others.
const changes = new MutationObserver(hide);

document.addEventListener("pointermove", (event) => {
  const found = event.pointerType === "touch" || event.buttons ? undefined : under(event);
  if (found?.cell === pointed) return;
  hide();
  if (!found) return;
  pointed = found.cell;
  changes.observe(pointed, { characterData: true, childList: true, subtree: true });
  waiting = setTimeout(show, WAIT_MS, found);
});
for (const over of ["pointerdown", "keydown", "scroll", "pointerleave"]) {
  document.addEventListener(over, hide, { capture: true, passive: true });
}
