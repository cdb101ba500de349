/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the command line: global options anywhere, one verb (of one or two words), its options
 * and operands. Pure but for the catalogue: it opens nothing and prints nothing.
 */
#ifndef SEKISHO_MGMT_CLI_OPTIONS_H
#define SEKISHO_MGMT_CLI_OPTIONS_H

#include "mgmt/cli/cli.h"

enum global_option { GLOBAL_JSON, GLOBAL_LANG, GLOBAL_SOCKET, GLOBAL_HELP, GLOBAL_VERSION, GLOBAL_COUNT };

extern const struct cli_option cli_globals[GLOBAL_COUNT];

/* What stands on the command line. */
struct cli_line {
	const char *globals[GLOBAL_COUNT]; /* as cli_args.values */
	const struct cli_verb *verb;	   /* NULL: none was named */
	/* the first word of verbs that help is wanted for: "journal"; or NULL */
	const char *above;
	struct cli_args args;
};

/* What is wrong with it; texts belong to argv or to the tables. */
struct cli_problem {
	enum message message; /* takes (word) or (word, nearest), as has_nearest says */
	const char *word;
	const char *nearest; /* NULL = nothing is near enough */
	enum message with_nearest;
	/* M_CLI_VALUE_UNFIT, whose second word is the value: what it should be; else NULL */
	const char *wanted;
	const struct cli_verb *verb; /* the verb it was said to, or NULL */
	/* M_CLI_UNDER, whose nearest this is: the second words of a verb, "verify, checkpoint" */
	char unders[96];
};

/* False with *problem filled. Globals that were read before the problem are in ret. */
bool cli_read_line(int argc, char **argv, struct cli_line *ret, struct cli_problem *problem);
/* Globals alone, problems ignored: what --lang and --json say even when the rest is wrong. */
void cli_read_globals(int argc, char **argv, struct cli_line *ret);

#endif
