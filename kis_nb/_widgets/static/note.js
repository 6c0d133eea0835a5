// A sentence under a chart; without one it takes no room.

function drawNote(el) {
  el.classList.add("kis-remark");
  return {
    update({ note }) {
      el.hidden = !note;
      setText(el, note ?? "");
    },
  };
}

export default panel(drawNote);
