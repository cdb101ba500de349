/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small texts that several verbs share; texts that the pages use as well are in mgmt/state/read.h.
 * Borrowed strings belong to the JSON object. Only render_diagnostics and render_line print.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_RENDER_H
#define SEKISHO_MGMT_CLI_WORDS_RENDER_H

#include "mgmt/cli/cli.h"
#include "mgmt/state/read.h"

struct table; /* mgmt/cli/screen/table.h */

/* The sentence for a reason's word in this language; an unknown word is returned as it is. */
const char *render_reason(const char *word, enum lang l);
/* Adds a cell with the time; `none` where there is none. */
void table_time(struct table *t, const char *rfc3339, const char *none);
/* The first 12 digits of a digest. */
void render_digest(const char *hex, char out[RENDER_TEXT]);
/* How a generation got its state, when and by whom; "" when this was the apply itself. */
#define WHY_TEXT 256
void render_why(const json_t *g, enum lang l, char out[WHY_TEXT]);
/* The comment of the last change of its state; "" when that was the apply, whose comment is printed
 * elsewhere. */
const char *render_later_comment(const json_t *g);
/* "4 (confirmed)" */
void render_generation(const json_t *generation, enum lang l, char out[RENDER_TEXT]);
/* Prints the diagnostics of an answer with their places; returns their number. */
size_t render_diagnostics(struct cli *c, const json_t *diagnostics);
/* Prints one sentence of the catalogue as a line, safe for a terminal and wrapped at its edge. */
void render_line(struct cli *c, enum message m, ...);
/* As render_line, for the text that was made of the sentence, which changes. */
void render_said(struct cli *c, enum message m, char *text);

/* Prints the answers to apply, confirm and rollback for people. Owns nothing. */

enum apply_kind {
	APPLY_KIND_APPLY,
	APPLY_KIND_DRY_RUN,
	APPLY_KIND_CONFIRM,
	APPLY_KIND_ROLLBACK,
	APPLY_KIND_ROLLBACK_DRY_RUN,
};

/* `answer` as in docs/json.md; `status` from the box. Returns the verb's status. */
int apply_render(struct cli *c, enum apply_kind kind, const json_t *answer, int status);

/* Checks the value of --comment: one line of text that is not too long; NULL: none was given. False
 * after printing the mistake. */
bool apply_comment_good(struct cli *c, const char *text, int *ret_status);

/* Prints which devices went back to the first namespace, for release, rollback and other ends of a
 * policy. */

/* `reports`: "given_back" of an answer (docs/json.md), or NULL. */
void given_back_print(struct cli *c, const json_t *reports);

/* Prints the box's clock ("clock" of status) for people. */

/* For an answer about a policy: which of its conduits wait for a trusted clock. Prints nothing when
 * none does. */
void clock_waits_print(struct cli *c, const json_t *clock);
void clock_print(struct cli *c, const json_t *clock);

/* The lines that differ between the texts of two generations. */

/*
 * `before` and `after`: arrays of {"name", "text"}. Returns the lines that only one of both has,
 * file by file and in order, in the form of docs/json.md. Owned by the caller.
 */
json_t *difference_json(const json_t *before, const json_t *after);
/* Prints lines as "- 12: old line", at most `most` of them, then the number of the others. */
void difference_print(struct cli *c, const json_t *difference, size_t most);

/* Texts of an event (docs/json.md) for a terminal, without a newline. The caller owns them; NULL
 * when memory is out. */

/* For lists: time, number, verdict, ends, command, reason, conduit and line. */
char *event_line(const json_t *event, enum lang l);
/* For `explain`: the text of event_sentence(), safe for a terminal. */
char *event_told(const json_t *event, enum lang l);

/* Prints a table of the hosts that the box itself may contact from the admin namespace, and of the
 * hosts that may contact it there (docs/json.md). */

/* `reach` of an answer. Prints nothing for NULL or null, as in the answer of an older release. */
void reach_print(struct cli *c, const json_t *reach);
/*
 * If there is anything to report: a line with the number of hosts that the box may contact and of
 * packets to others that were refused, or that the rules are missing. If terminals are named, a
 * second line about them.
 */
void reach_line(struct cli *c, const json_t *reach);

/* Prints a table of the hosts for which the box answers on an interface (docs/json.md). */

/*
 * Elements of `list` without `ranges` are left out. `count` and `ranges` are in the element or in
 * its `answers`; the interface's name is under `key`. At most `most` ranges of each are printed,
 * 0 = all. Prints nothing when there are none.
 */
void answers_print(struct cli *c, const json_t *list, const char *key, size_t most);

#endif
