/* SPDX-License-Identifier: Apache-2.0 */
/* Every verb of `sekisho`, each defined in the file or folder of its name. */
#ifndef SEKISHO_MGMT_CLI_VERBS_H
#define SEKISHO_MGMT_CLI_VERBS_H

#include "mgmt/cli/cli.h"

extern const struct cli_verb verb_check;
extern const struct cli_verb verb_compile;
extern const struct cli_verb verb_protocols;
extern const struct cli_verb verb_diff;
extern const struct cli_verb verb_prove;
extern const struct cli_verb verb_ask;
extern const struct cli_verb verb_who_can;
extern const struct cli_verb verb_reach;
extern const struct cli_verb verb_replay;
extern const struct cli_verb verb_learn;
extern const struct cli_verb verb_status;
extern const struct cli_verb verb_apply;
extern const struct cli_verb verb_confirm;
extern const struct cli_verb verb_clock;
extern const struct cli_verb verb_rollback;
extern const struct cli_verb verb_draft;
extern const struct cli_verb verb_open;
extern const struct cli_verb verb_shut;
extern const struct cli_verb verb_doors;
extern const struct cli_verb verb_isolate;
extern const struct cli_verb verb_rejoin;
extern const struct cli_verb verb_isolations;
extern const struct cli_verb verb_release;
extern const struct cli_verb verb_setup;
extern const struct cli_verb verb_backup;
extern const struct cli_verb verb_restore;
extern const struct cli_verb verb_record;
extern const struct cli_verb verb_user;
extern const struct cli_verb verb_history;
extern const struct cli_verb verb_show;
extern const struct cli_verb verb_effective;
extern const struct cli_verb verb_verify;
extern const struct cli_verb verb_flows;
extern const struct cli_verb verb_events;
extern const struct cli_verb verb_explain;
extern const struct cli_verb verb_attacks;
extern const struct cli_verb verb_devices;
extern const struct cli_verb verb_register;
extern const struct cli_verb verb_exceptions;
extern const struct cli_verb verb_impact;
extern const struct cli_verb verb_journal_verify;
extern const struct cli_verb verb_journal_checkpoint;
extern const struct cli_verb verb_journal_copy;
extern const struct cli_verb verb_journal_hold;
extern const struct cli_verb verb_journal_holds;
extern const struct cli_verb verb_journal_lift;
extern const struct cli_verb verb_preserve;
extern const struct cli_verb verb_review;
extern const struct cli_verb verb_report_controls;
extern const struct cli_verb verb_report_incident;
extern const struct cli_verb verb_report_audit;
extern const struct cli_verb verb_report_self_check;

#endif
