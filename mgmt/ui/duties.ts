// SPDX-License-Identifier: Apache-2.0
// People's roles, and the state of an account, in words.
import type { Tone } from "./parts";
import { t, type Key } from "./text";
import type { Account } from "./types";

export const DUTIES: [string, Key, Key][] = [["viewer", "duty_viewer", "may_viewer"], ["ot_author", "duty_ot_author", "may_ot_author"], ["approver", "duty_approver", "may_approver"],
	["it_operator", "duty_it_operator", "may_it_operator"], ["auditor", "duty_auditor", "may_auditor"], ["log_administrator", "duty_log_administrator", "may_log_administrator"],
	["backup_operator", "duty_backup_operator", "may_backup_operator"], ["supervisor", "duty_supervisor", "may_supervisor"], ["account_manager", "duty_account_manager", "may_account_manager"]];

export function duties(list: string[] | undefined): string {
	return (list ?? []).map((word) => {
		const known = DUTIES.find(([of]) => of === word);
		return known === undefined ? word : t(known[1]);
	}).join(", ");
}

export function standing(a: Account): [Tone, Key] {
	return a.disabled === true ? ["off", "account_disabled"] : a.handed_out_until ? ["wait", "account_handed_out"] : a.unused === true ? ["wait", "account_unused"] : ["good", "account_active"];
}
