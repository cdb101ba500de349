// SPDX-License-Identifier: Apache-2.0
// An order about the records in a person's own name, with a reason. Alarms of attacks and devices
// have such a form: what it is about, what is wrong with it, and what was done.
import { h, type Child, type Node_ } from "./dom";
import { orderRecords, person } from "./session";
import { language, t, type Key } from "./text";
import type { Said } from "./types";

interface Outcome {
	done: boolean;
	error?: Said;
}

export class Order<About, Answer extends Outcome> {
	about: About | undefined;
	complaint: string | undefined;
	done: string | undefined;
	private busy = false;
	private run = 0;

	/**
	 * `name` begins the ids of the form's parts; `then` takes the answer to an order that was
	 * done.
	 */
	constructor(private readonly name: string, private readonly then: (about: About, answer: Answer) => string) {}

	/** Forgets everything before another person signs in. */
	forget(): void {
		this.run++;
		this.about = this.complaint = this.done = undefined;
		this.busy = false;
	}

	/** The action of a button that opens the form, or closes it. */
	choose(draw: () => void, about: About | undefined): () => void {
		return () => {
			this.about = about;
			this.complaint = this.done = undefined;
			draw();
			// the field for the reason may be above a list that is long
			document.getElementById(this.name + "-reason")?.focus();
		};
	}

	private async give(draw: () => void, about: About, body: Record<string, unknown>, after: () => Promise<void>): Promise<void> {
		if (this.busy) return;
		this.busy = true;
		this.complaint = this.done = undefined;
		draw();
		const mine = this.run, answer = await orderRecords<Answer>(body);
		if (mine !== this.run) return;
		this.busy = false;
		if (!answer.ok) this.complaint = t(answer.why === "forbidden" ? "records_no_right" : answer.why === "wrong" ? "records_wrong" : "no_answer");
		else if (!answer.value.done) this.complaint = answer.value.error?.[language()] ?? t("no_answer");
		else {
			this.done = this.then(about, answer.value);
			this.about = undefined;
			await after();
		}
		draw();
	}

	/**
	 * `more`: further fields. `body` makes the order when it is given. `after`: done before its
	 * result is shown.
	 */
	form(draw: () => void, about: About, title: string, act: Key, more: Child, body: (reason: string) => Record<string, unknown>, after: () => Promise<void> = () => Promise.resolve()): Node_ {
		const id = this.name + "-reason";
		const onGive = (event: Event): void => {
			event.preventDefault();
			const reason = (document.getElementById(id) as HTMLInputElement).value.trim();
			if (reason !== "") void this.give(draw, about, body(reason), after);
			else {
				this.complaint = t("device_wants");
				draw();
			}
		};
		return h("form", { class: "records", submit: onGive, novalidate: true, "data-key": this.name + "-form" }, h("h3", {}, title), more,
			h("div", { class: "field" }, h("label", { for: id }, t("reason_given")), h("input", { id, type: "text", autocomplete: "off", maxlength: 199 })),
			h("p", { class: "note" }, t("hold_note", person())),
			h("p", { class: "acts" }, h("button", { type: "submit", "data-key": this.name + "-give", "aria-disabled": this.busy ? "true" : undefined }, t(act)),
				h("button", { type: "button", "data-key": this.name + "-not", click: this.choose(draw, undefined) }, t("cancel"))));
	}
}
