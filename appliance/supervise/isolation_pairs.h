/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the isolations in force cut and what they leave, by the policy in force and the one that comes. An apply can only cut more: addresses of all moments
 * count, and a conduit goes on while it did so at the moment of the order and the policy still says so.
 *
 * What is kept passes by its permit: one whose conduits are all kept by each isolation that meets it. The boxes around it are cut out of by those that do not keep it.
 */
#ifndef SEKISHO_SUPERVISE_ISOLATION_PAIRS_H
#define SEKISHO_SUPERVISE_ISOLATION_PAIRS_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

struct supervisor; /* supervise.h */
struct policy;	   /* policy.h */

#define ISOLATIONS_MOST 64u /* at once */

/* Its addresses now, as people and the file have them; NULL: the policy has nothing of that name. Owned by the caller. */
json_t *isolation_texts(const struct ir *ir, const char *what);
/* The names of the conduits that it keeps now, owned by the caller. */
json_t *isolation_keeps(const struct ir *ir, const char *what);
/* Takes out of an isolation's `keep` what its declaration does not keep, if there is one. True: there was something. */
bool isolation_keeps_less(const struct ir *ir, json_t *isolation);
/* For enforce: APART_PAIR, owned by the caller; negative errno. `next` may be NULL. */
int isolation_memfd(const struct supervisor *s, const json_t *list, const struct policy *next);
/* What has to stay possible and would not, with these alone; owned by the caller. */
json_t *isolation_breaks(const struct ir *ir, const json_t *list);

#endif
