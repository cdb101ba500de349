/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, laid out from the verb table and the message catalogue. Prints, decides nothing. */
#ifndef SEKISHO_MGMT_CLI_HELP_H
#define SEKISHO_MGMT_CLI_HELP_H

#include "mgmt/cli/cli.h"

void help_overview(const struct cli *c, FILE *to);
/* Prints all verbs with this first word. */
void help_above(const struct cli *c, const char *word, FILE *to);
void help_verb(const struct cli *c, const struct cli_verb *v, FILE *to);

#endif
