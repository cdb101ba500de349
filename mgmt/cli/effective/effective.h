/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_EFFECTIVE_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_EFFECTIVE_H

#include <stdio.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/cli.h"

/* The effective rules (docs/json.md), for all verbs that print a part of them. */

/* As box_request_long. Without a daemon, sekishod answers (box/request.h), and *ret_standing is
 * set. `at`: the moment; 0 = now. */
bool effective_ask(struct cli *c, uint64_t at, struct box_answer *ret, bool *ret_standing, int *ret_status);

/* Selects the effective rules about one conduit, zone, asset or host. */

/* A condition that is NULL matches everything. All given conditions must match; asset and host
 * together form one list of addresses. */
struct effective_filter {
	const char *conduit, *zone, *asset;
	const char *host; /* as effective_host wants it */
};

/* Whether the text is an address, a prefix, or a first and a last address with "-" between them. */
bool effective_host(const char *text);
/* The first name in the filter (conduit, zone or asset) that is not in the box's answer; NULL when
 * all of them are. */
const char *effective_lacks(const json_t *effective, const struct effective_filter *f);

/*
 * Leaves out of the box's answer what does not match, and adds "filter" to it. False when the
 * filter has a name that this generation does not have; *ret then is this name.
 */
bool effective_filter(json_t *effective, const struct effective_filter *f, const char **ret);

/* The effective rules (docs/json.md) as text for people. Prints, owns nothing, decides nothing. */

/* False: no memory, and nothing was printed. */
bool effective_render(struct cli *c, const json_t *effective);
/* Prints without a newline when the conduit was last used or, if it never was, since when its use
 * is watched. Then prints the spans since then in which nobody watched. */
void effective_last_use(const json_t *conduit, enum lang l, FILE *to);

#endif
