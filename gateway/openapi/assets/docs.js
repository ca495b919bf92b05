// What the page can do beside being read: search, copy, unfold. Without scripts it is whole all the same.
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const operations = all(".operation").map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    link: document.querySelector(`nav a[href="#${element.id}"]`).parentElement,
  }));

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text, link } of operations) {
      const matches = words.every((word) => text.includes(word));
      element.hidden = link.hidden = !matches;
      count += matches;
    }
    for (const section of all("section.tag")) {
      section.hidden = words.length > 0 && all(".operation:not([hidden])", section).length === 0;
    }
    found.textContent = words.length ? `${count} of ${operations.length} operations` : "";
  };

  // A link to something that is folded or filtered away shows it.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) { search.value = ""; filter(); }
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };

  const unfold = (open) => all("main details").forEach((fold) => { fold.open = open; });

  document.documentElement.classList.add("scripted");
  for (const element of all(".search, .tools")) element.hidden = false;
  for (const block of all("pre code")) {
    if (block.textContent.startsWith("curl")) {
      block.textContent = block.textContent.replace("https://prsm.example.org/", `${location.origin}/`);
    }
  }

  search.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.nextElementSibling.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.nextElementSibling);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  const toggle = document.getElementById("unfold");
  toggle.addEventListener("click", () => {
    const open = toggle.dataset.open !== "yes";
    unfold(open);
    toggle.dataset.open = open ? "yes" : "no";
    toggle.textContent = open ? "Fold everything" : "Unfold everything";
  });
  // Nested fields stay folded on paper: the schemas at the end have them all.
  addEventListener("beforeprint", () => all("main details").forEach((fold) => { fold.open ||= !fold.closest(".fields"); }));
  addEventListener("hashchange", reveal);
  reveal();
})();
