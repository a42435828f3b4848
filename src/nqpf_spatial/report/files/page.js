"use strict";
(function () {
  var root = document.documentElement;
  function language(lang) {
    root.dataset.lang = lang;
    root.lang = lang === "zh" ? "zh-CN" : "en";
    document.querySelectorAll("option[data-zh]").forEach(function (o) {
      o.textContent = lang === "zh" ? o.dataset.zh : o.dataset.en;
    });
  }
  var button = document.getElementById("lang");
  if (button) button.addEventListener("click", function () { language(root.dataset.lang === "zh" ? "en" : "zh"); });
  if (new URLSearchParams(location.search).get("lang") === "zh" || location.hash === "#zh") language("zh");
  var filters = document.querySelectorAll("[data-filter]");
  function apply() {
    var shown = 0;
    document.querySelectorAll(".card").forEach(function (card) {
      var ok = true;
      filters.forEach(function (f) {
        var value = f.value.trim().toLowerCase();
        if (!value) return;
        if (f.dataset.filter === "text") ok = ok && card.textContent.toLowerCase().indexOf(value) >= 0;
        else ok = ok && card.dataset[f.dataset.filter] === f.value;
      });
      card.hidden = !ok;
      if (ok) shown += 1;
    });
    document.querySelectorAll(".shown").forEach(function (s) { s.textContent = String(shown); });
  }
  filters.forEach(function (f) { f.addEventListener("input", apply); });
  var before;
  window.addEventListener("beforeprint", function () {
    before = Array.from(document.querySelectorAll(".card.data details:not([open])"));
    before.forEach(function (d) { d.open = true; });
  });
  window.addEventListener("afterprint", function () { (before || []).forEach(function (d) { d.open = false; }); });
})();
