// The folder job: begin, look, cancel, and the list of what failed.

import * as server from "./server.js";
import { said, text } from "./texts.js";

const $ = (id) => document.getElementById(id);

export function begin({ options, onError }) {
  let timer = null;
  let refused = null; // Why it was not begun, for when the language changes.

  function show(job) {
    if (refused) return sayRefused();
    if (!job) return;
    const bar = $("progress");
    bar.hidden = !job.running;
    if (job.total) {
      bar.max = job.total;
      bar.value = job.done + job.skipped + job.failed;
    } else bar.removeAttribute("value");
    // What can do nothing now hands the focus on.
    const [now, other] = job.running ? ["cancel-job", "start-job"] : ["start-job", "cancel-job"];
    const focused = document.activeElement === $(other);
    $(now).disabled = false;
    $(other).disabled = true;
    if (focused) $(now).focus();
    const key = job.running ? "jobRunning" : job.cancelled ? "jobCancelled" : "jobDone";
    const words = job.error
      ? text(job.total === null ? "jobWrong" : "jobStopped", { reason: said(job.error) })
      : text(key, { ...job, total: job.total ?? "…" });
    // Heard once, at the end, and not at every picture.
    $("job").setAttribute("aria-live", job.running ? "off" : "polite");
    if ($("job").textContent !== words) $("job").textContent = words;
    $("failures").replaceChildren(...job.failures.map((failure) => {
      const item = document.createElement("li");
      item.textContent = text("wrong", { name: failure.name, reason: said(failure) });
      return item;
    }));
    clearTimeout(timer);
    if (job.running) timer = setTimeout(look, 500);
  }

  function sayRefused() {
    $("job").textContent = text("jobWrong", { reason: said(refused) });
    $("failures").replaceChildren();
  }

  async function look() {
    try {
      show(await server.job());
    } catch (error) {
      onError(error);
    }
  }

  $("start-job").addEventListener("click", async () => {
    refused = null;
    try {
      show(await server.startJob({
        source: $("source").value.trim(),
        output: $("output").value.trim(),
        ...options(),
      }));
    } catch (error) {
      if (error.status !== 422) return onError(error);
      refused = error.said;
      sayRefused();
    }
  });
  $("cancel-job").addEventListener("click", () => server.cancelJob().then(look, onError));
  return { show };
}
