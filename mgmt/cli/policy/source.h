/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles a policy from disk, for check, compile, prove and apply. Prints the diagnostics (with
 * excerpt and caret), or keeps them for --json. Owns the arena of the run.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_SOURCE_H
#define SEKISHO_MGMT_CLI_POLICY_SOURCE_H

#include "appliance/base/json.h"
#include "mgmt/cli/cli.h"
#include "policy/compile/compile.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

enum source_depth {
	/* the model without rules; only errors are reported */
	SOURCE_CHECKED,
	SOURCE_UNPROVED, /* also the rule IR, even if `never` statements do not hold */
	SOURCE_LOWER,	 /* also the rule IR; `never` statements that do not hold are errors */
};

struct source {
	struct arena *arena;
	struct compilation c;
	const char *name; /* file name of the main text */
};

/* True when the policy was compiled without errors. False: the reason was printed, and *ret_status
 * is the status for the verb. source_close in both cases. */
bool source_open(struct cli *c, const char *path, enum source_depth depth, struct source *ret, int *ret_status);
/* Opens the model as far as `ask` needs it: of a sealed generation, or of a policy's text. With
 * path NULL: of the policy that is in force on this box at the time `at` (seconds since 1970, 0 =
 * now). */
bool source_open_asked(struct cli *c, const char *path, uint64_t at, struct source *ret, int *ret_status);
/* For a policy in force on this box: sets which doors are open at that moment. False as above. */
bool source_doors(struct cli *c, struct source *s, uint64_t at, int *ret_status);
/* Opens a file. If no file has this name: "box" is the policy in force on this box, and "box:12" is
 * its generation 12. */
bool source_open_any(struct cli *c, const char *name, enum source_depth depth, struct source *ret, int *ret_status);
void source_close(struct source *s);
/* For a policy_loader whose `ctx` is the list of texts in an answer of the box. */
int source_of_list(void *ctx, const char *name, struct arena *a, struct source_text *ret);
/* The name of the text with this position, as people know it; borrowed. */
const char *source_file(const struct source *s, struct srcpos at);
/* Prints a sentence about a policy to `out`; further lines are indented to its beginning. */
void source_say(struct cli *c, enum message m, ...);
/* The texts of the policy for the box in a sealed memfd: a descriptor owned by the caller, or -1
 * after the error was printed. */
int source_bundle(struct cli *c, const struct source *s, int *ret_status);
/* {"diagnostics":[...],"errors":n,"warnings":n}, as docs/json.md has it; a new reference. */
json_t *source_diagnostics(struct source *s, enum lang l);

/* Finds conduits of a policy's text that would not open on this box because its clock is not
 * trusted. For the verbs that tell the effect of a policy. */

/* "clock" as in the answer to `apply`, made from what this machine's daemon tells about its clock.
 * NULL: no conduit would wait, or no daemon tells. */
json_t *source_waits(struct cli *c, const struct ir *ir);

#endif
