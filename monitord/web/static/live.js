// A page that is swapped while it is open stays calm: what somebody unfolded stays unfolded, what they
// type or have in focus is left alone, and charts that are drawn are not drawn anew.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const typed = (form) => [...form.elements].some((one) =>
    one.type !== "hidden" && (one === document.activeElement
      || (one.tagName === "SELECT" ? [...one.options].some((o) => o.selected && !o.defaultSelected) && one.selectedIndex > 0
        : one.type === "checkbox" ? one.checked !== one.defaultChecked
          : "defaultValue" in one && one.value !== one.defaultValue)));
  const inUse = (node) => node.nodeType === Node.ELEMENT_NODE
    && (node.contains(document.activeElement) && node.matches(":has(input, select, textarea)")
      || (node.matches("form") && typed(node)) || [...node.querySelectorAll("form")].some(typed));
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) => !(old.nodeType === Node.ELEMENT_NODE
      && ("keep" in old.dataset || (old.matches("form") && typed(old)))),
    beforeNodeRemoved: (old) => !inUse(old),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
  });
});
