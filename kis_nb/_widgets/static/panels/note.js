// A sentence under a chart; without one it takes no space.

import { setText } from "../shared/elements.js";
import { panel } from "./panel.js";

export default panel((el) => {
  el.classList.add("kis-chart-note");
  return {
    update({ note }) {
      el.hidden = !note;
      setText(el, note ?? "");
    },
  };
});
