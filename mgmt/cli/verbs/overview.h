/* SPDX-License-Identifier: Apache-2.0 */
/* The first lines of `sekisho status`, and its short form, which fits on a screen of 24 lines: one
 * line for each list of --all. */
#ifndef SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H
#define SEKISHO_MGMT_CLI_VERBS_OVERVIEW_H

#include "mgmt/cli/cli.h"
#include "mgmt/state/stand.h"

/* Whether the box enforces, and what a person has to know first. */
void overview_headline(struct cli *c, const json_t *status, const json_t *faults, const json_t *alarms,
		       enum stand stand);
/*
 * The short form: as many lines of overview_headline as there is room for, one line each for
 * interfaces, processes, refusals, inspection, records and certificates, and a line about how to
 * see everything.
 */
void overview_screen(struct cli *c, const json_t *status, const json_t *faults, const json_t *alarms, enum stand stand);
/* If the policy file of this box is not what is in force, says so. */
void overview_file(struct cli *c);

#endif
