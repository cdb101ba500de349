/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a policy and its box.cfg, object by object and key by key, with all defaults
 * filled in, so that policies can be compared by their meaning and not by their text. For example,
 * a conduit without sources gets its zone's addresses, and a conduit without `weak_tls` gets the
 * site's value.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_SETTINGS_H
#define SEKISHO_MGMT_CLI_POLICY_SETTINGS_H

#include "appliance/base/json.h"
#include "mgmt/cli/policy/source.h"
#include "policy/ir/ir.h"

/*
 * All objects, in the order in which the policy language defines their kinds:
 * {"object":"conduit","name":...,"file":...,"line":...,"settings":{...}}. A setting is null (not
 * given), a text, a number, a truth value, or a list of texts whose order has no meaning. `name` is
 * null for objects that exist only once; `file` is null if the place is not known. A new reference;
 * NULL when memory is out.
 */
json_t *settings_json(const struct source *s);
/*
 * The differences: {"change":"changed","object","name","setting","before","after","file","line"}.
 * For an object that exists in only one of the two:
 * {"change":"added|removed",...,"settings":{...}}. `file` and `line` are the place in `after`; for
 * removed objects, in `before`. Borrows both; a new reference, NULL when memory is out.
 */
json_t *settings_compare(const json_t *before, const json_t *after);
/* The names of the assets; a new reference. */
json_t *settings_assets(const struct model_hosts *h);
/* The texts of `list` that `other` does not have; a new reference. */
json_t *settings_without(const json_t *list, const json_t *other);

/* Prints the difference in effect of two policies (policy/render/render.h), for all verbs that
 * show it. */

/* Prints `sentences`, which describe the difference in effect, or says that there is no difference.
 * `before` and `after` are the prefixes of file names of the old and of the new policy, for example
 * "old/". */
void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after);
/* Prints the sentences in an answer of the box; nothing if it has none. */
void means_answered(struct cli *c, const json_t *answer, const char *folder);

/*
 * Computes how a policy would judge the accepted operations that the journal counted (events of
 * kind "counts", docs/json.md). It uses the cells of the generation and the same evaluator that
 * judges packets. Pure.
 *
 * A record does not have everything that the evaluator needs. If a worker had too many kinds of
 * operations, the record's addresses are the span of several operations. The record has only the
 * smallest and the largest value. If an operation names a part of an object, the record does
 * not say of which object. Nor does it say which operations came in one request. So the answer is a
 * range: the least and the largest number of operations that would have been stopped.
 */

struct recorded {
	/* as the record counts them; a session of several hours is in the record of each hour */
	uint64_t operations, sessions;
	uint64_t least, most; /* operations that would have been stopped */
	enum reason reason;   /* why, when there are any */
};

/* Sets `ir` to the conduits that are open at `now`, in seconds since 1970, and judges the record
 * `e` by them. False: the record has too few details, for example because it sums up several kinds
 * of operations. Then only `operations` and `sessions` are set. */
bool recorded_judge(struct ir *ir, const json_t *e, uint64_t now, struct recorded *ret);

#endif
