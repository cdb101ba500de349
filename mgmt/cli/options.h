/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the command line: global options anywhere, one verb (of one or two words), its options
 * and operands. Pure but for the catalogue: it opens nothing and prints nothing.
 */
#ifndef SEKISHO_MGMT_CLI_OPTIONS_H
#define SEKISHO_MGMT_CLI_OPTIONS_H

#include "mgmt/cli/cli.h"

enum global_option { GLOBAL_JSON, GLOBAL_LANG, GLOBAL_UTC, GLOBAL_SOCKET, GLOBAL_HELP, GLOBAL_VERSION, GLOBAL_COUNT };

extern const struct cli_option cli_globals[GLOBAL_COUNT + 1];

/* The contents of a command line. */
struct cli_line {
	const char *globals[GLOBAL_COUNT]; /* as cli_args.values */
	/* the first word of two-word verbs, such as "journal", when only it is given and help is
	 * wanted; or NULL */
	const char *above;
	struct cli_args args;
};

/* A mistake on the command line. Texts belong to argv or to the tables. */
struct cli_problem {
	/* without `nearest`, this text is printed with the argument (word); with it, the text
	 * `with_nearest` with (word, nearest) */
	enum message message;
	const char *word;
	const char *nearest; /* the word that was probably meant; NULL = none is similar enough */
	enum message with_nearest;
	/* only for M_CLI_VALUE_UNFIT, whose second argument is the value: what the value should be;
	 * else NULL */
	const char *wanted;
	const struct cli_verb *verb; /* the verb that was given, or NULL */
	/* for M_CLI_UNDER, as its `nearest`: all second words of the verb, "verify, checkpoint" */
	char unders[96];
};

/* Reads the command line. False: *problem is filled, and *ret has the global options before the
 * mistake. */
bool cli_read_line(int argc, char **argv, struct cli_line *ret, struct cli_problem *problem);
/* Reads only the global options and ignores mistakes, so that --lang and --json apply to error
 * messages, too. */
void cli_read_globals(int argc, char **argv, struct cli_line *ret);

/* Help texts, laid out from the verb table and the message catalogue. Prints, decides nothing. */

void help_overview(const struct cli *c, FILE *to);
/* Prints all verbs with this first word. */
void help_above(const struct cli *c, const char *word, FILE *to);
void help_verb(const struct cli *c, const struct cli_verb *v, FILE *to);

#endif
