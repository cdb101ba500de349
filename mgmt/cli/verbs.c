/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/verbs.h"

const struct cli_verb *const cli_verbs[] = {
	&verb_check,	       &verb_protocols,
	&verb_compile,	       &verb_diff,
	&verb_prove,	       &verb_replay,
	&verb_learn,	       &verb_journal_verify,
	&verb_status,	       &verb_impact,
	&verb_apply,	       &verb_confirm,
	&verb_rollback,	       &verb_draft,
	&verb_release,	       &verb_setup,
	&verb_backup,	       &verb_restore,
	&verb_history,	       &verb_show,
	&verb_effective,       &verb_verify,
	&verb_flows,	       &verb_events,
	&verb_explain,	       &verb_devices,
	&verb_clock,	       &verb_user,
	&verb_record,	       &verb_journal_checkpoint,
	&verb_journal_copy,    &verb_journal_hold,
	&verb_journal_holds,   &verb_journal_lift,
	&verb_preserve,	       &verb_review,
	&verb_report_controls, &verb_report_incident,
	&verb_report_audit,    &verb_report_self_check,
};

const size_t cli_n_verbs = sizeof(cli_verbs) / sizeof(cli_verbs[0]);
