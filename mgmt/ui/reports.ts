// SPDX-License-Identifier: Apache-2.0
// Saves the report by clause and the self-check, as `sekisho report` makes them: for paper and for
// a spreadsheet. They are not shown here.
import { save } from "./csv";
import { h, type Child, type Node_ } from "./dom";
import { card, mark } from "./parts";
import { endPatience, patience, waited, waiting, type Patience } from "./patience";
import { askFile } from "./session";
import { language, t, type Key } from "./text";

type Of = "controls" | "self-check";
type Form = "html" | "csv";
const REPORTS: [Of, Key, Key][] = [["controls", "report_controls", "report_controls_note"], ["self-check", "report_self_check", "report_self_check_note"]];
const FORMS: [Form, Key, string][] = [["html", "save_html", "text/html;charset=utf-8"], ["csv", "save_csv", "text/csv;charset=utf-8"]];

let waits: Patience | undefined;
// how the last report ended
let came: { key: "report-came" | "stopped" | "failed"; text: () => string } | undefined;
let run = 0;

/** Forgets everything before another person signs in. */
export function forgetReports(): void {
	run++;
	endPatience(waits);
	waits?.stop.abort();
	waits = came = undefined;
}

async function make(of: Of, form: Form, type: string, name: string, changed: () => void): Promise<void> {
	if (waits !== undefined) return;
	const mine = ++run, p = waits = patience(changed);
	came = undefined;
	changed();
	const answer = await askFile("/api/v1/report?of=" + of + "&form=" + form + "&lang=" + language(), p.stop.signal);
	endPatience(p);
	if (mine !== run) return;
	const seconds = waited(p), stopped = p.stop.signal.aborted;
	waits = undefined;
	if (answer.ok) save(name, type, answer.value);
	came = stopped ? { key: "stopped", text: () => t("stopped_waiting", seconds) } : answer.ok ? { key: "report-came", text: () => t("report_saved", name) }
		: { key: "failed", text: () => t(answer.why === "forbidden" ? "audit_no_right" : "no_answer") };
	changed();
}

function stands(): Child[] {
	if (waits !== undefined) return waiting(waits, "report_making");
	if (came === undefined) return [];
	const bad = came.key === "failed";
	return [h("p", { class: bad ? "complaint" : "note", role: bad ? "alert" : "status", "data-key": came.key }, bad && mark("bad"), came.text())];
}

export function reportCard(file: (what: string, ending: string) => string, changed: () => void): Node_ {
	return card("reports", "reports", true, h("p", { class: "note" }, t("reports_note")),
		REPORTS.flatMap(([of, title, note]) => [h("h3", { "data-key": of }, t(title)), h("p", { class: "note", "data-key": of + "-note" }, t(note)),
			h("p", { class: "acts", "data-key": of + "-acts" }, FORMS.map(([form, label, type]) =>
				h("button", { type: "button", "data-key": "report-" + of + "-" + form, "aria-label": t(title) + ": " + t(label), "aria-disabled": waits !== undefined ? "true" : undefined,
					click: () => void make(of, form, type, file("report-" + of, form), changed) }, t(label))))]),
		h("div", { "data-key": "report-stands" }, stands()));
}
