/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line `sekisho`: what all verbs share.
 *
 * Each verb has a file (verbs/check.c, verbs/apply.c, ...), or a folder when it needs several
 * (setup/), with its function and the table of its options. verbs.def lists all verbs with their
 * help texts, so a new verb is one file and one row there. Verbs that work off-line need
 * only the code of policy/ and dpi/ beside their own. Verbs that need the box ask it over its
 * control socket (box/request.h), and only print the JSON that comes back. They check no rights,
 * because the box does.
 * Only a few verbs touch the machine themselves and need root for that, for example `learn` at an
 * interface and `restore` with accounts.
 */
#ifndef SEKISHO_MGMT_CLI_CLI_H
#define SEKISHO_MGMT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

/* Exit statuses of all verbs. Answers of a box use the same values. */
enum cli_status {
	CLI_YES = ANSWER_YES,	      /* yes, or done */
	CLI_NO = ANSWER_NO,	      /* no, or violations found */
	CLI_INVALID = ANSWER_INVALID, /* usage, or invalid input */
	CLI_CANNOT = ANSWER_CANNOT,   /* could not be done */
	/* ended by Ctrl-C, with the number that shells use; a box never answers this */
	CLI_STOPPED = 130,
};

/* The state of a run: made once by main.c, borrowed by all others. */
struct cli {
	enum lang lang;
	bool lang_told; /* the language was given by --lang, not by the environment */
	bool json;	/* --json: one JSON object (or one a line), nothing else, on `out` */
	/* `out` is a terminal, and colours are wanted. A colour never is the only sign of
	 * something */
	bool color;
	const char *socket; /* control socket of the box */
	FILE *out;
	FILE *err;
};

#define CLI_BOX_FOLDER "/etc/sekisho" /* the folder of a box's policy */
#define CLI_OPTIONS 17
#define CLI_OPERANDS 6
#define CLI_EVERY 64

/* Tables of options end with an empty row. */
struct cli_option {
	const char *name;  /* "--to" */
	char letter;	   /* 'o' for "-o"; 0 = none */
	const char *value; /* name of its value in help, "FILE"; NULL = a switch */
	enum message help;
};

/* The parsed command line. Strings belong to argv. */
struct cli_args {
	const struct cli_verb *verb; /* NULL: none was named */
	/* by position in the verb's option table; NULL = not given; a switch: "" */
	const char *values[CLI_OPTIONS];
	const char *operands[CLI_OPERANDS];
	size_t n_operands;
	/* All options in the order of the command line, for options that may be repeated. */
	struct {
		size_t option; /* its position in the table */
		const char *value;
	} every[CLI_EVERY];
	size_t n_every;
};

enum cli_group { CLI_OFFLINE, CLI_ON_BOX };

/* Returns enum cli_status. */
typedef int cli_run(struct cli *c, const struct cli_args *a);

struct cli_verb {
	const char *name;
	const char *under; /* second word, for "journal verify"; NULL = none */
	enum cli_group group;
	const char *operands; /* operands as usage shows them: "POLICY" */
	size_t min_operands, max_operands;
	const struct cli_option *options;
	enum message summary; /* one line */
	enum message text;    /* what it does, its exit statuses, an example; whole lines */
	cli_run *run;
	bool paged; /* its output may be longer than a screen, and it asks no questions */
};

/* The table, in the order that help shows it. */
extern const struct cli_verb cli_verbs[];
extern const size_t cli_n_verbs;

/*
 * Prints an error to c->err (with --json, {"error":...,"status":...} to c->out) and returns
 * `status`, so that a verb can end with `return cli_fail(...)`. The message ends without a newline.
 */
int cli_fail(struct cli *c, enum cli_status status, enum message m, ...);
/* A copy of the program's state that prints nothing; its `out` is to be closed. False: no such
 * output can be opened. */
bool cli_silence(const struct cli *c, struct cli *ret);
/* As cli_fail, for a text that is already made. */
int cli_fail_text(struct cli *c, enum cli_status status, const char *text);
/* Prints the errno `code` for a file, "NAME: ...", in the reader's language if the catalogue
 * has it. */
int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code);
/* "sekisho apply [OPTION...] POLICY" */
void cli_usage(const struct cli_verb *v, char *out, size_t size);
/* Prints the usage of the verb after an error on the command line. Nothing with --json. */
void cli_see(struct cli *c, const struct cli_verb *v);
/* Reads a decimal number of at most `max`. False for anything else, including signs and blanks. */
bool cli_number(const char *text, unsigned long long max, unsigned long long *ret);
/* Reads seconds, at most `max`: a number, or a span of time as a policy has it ("10 min"). */
bool cli_seconds(const char *text, unsigned long long max, unsigned long long *ret);

/* Output that is longer than the screen is shown in `less`, only on a terminal and never for
 * a program. */

/* From here on, output to `c->out` is collected if it goes to a terminal; otherwise nothing
 * changes. A second call has no effect. PAGER="" or "cat" switches the pager off. */
void pager_begin(struct cli *c);
/* Shows the collected output, in the pager if it is longer than the screen. `c->out` is standard
 * output again. */
void pager_end(struct cli *c);

/* Chooses the control socket. */

#define SOCKET_DEFAULT "/run/sekisho/control.sock"

/*
 * Returns `wish` (--socket), else SEKISHO_SOCKET, else the value that SEKISHO_SOCKET had before
 * sudo removed it, else the default. Valid until the program ends.
 */
const char *socket_choose(const char *wish);
/* Takes the site's time zone from the file that the box keeps beside its socket. */
void zone_of_site(const char *socket);

/* Reads the environment with which another process was started; only root can read that of another
 * user's process. */

/* The value of `name`, which ends with "=". NULL: it is not set, or cannot be read. Valid until the
 * next call. */
const char *environ_of(long pid, const char *name);

#endif
