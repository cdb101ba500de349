/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box's answer by conduit: which of its cells and grants belong to each. Made in one pass, so that printing all conduits
 * of a large site takes as long as the site is large. Owns its lists; what stands in them is the answer's.
 */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_PARTS_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_PARTS_H

#include <stdbool.h>

#include "appliance/base/json.h"

struct effective_parts {
	json_t *cells;	/* conduit -> array of cells that name it, in the answer's order */
	json_t *grants; /* conduit -> array of {"permit", "grant"}: each of its grants with the permit that has it */
	json_t *strays; /* cells that name no conduit */
};

/* False when memory is out. To be freed by effective_parts_free either way; the answer has to live until then. */
bool effective_parts_make(const json_t *effective, struct effective_parts *ret);
void effective_parts_free(struct effective_parts *p);

/* Appends `one` to the array that `lists` has under `key` (NULL: nowhere); makes the array where there is none. False: no memory. */
bool effective_parts_add(json_t *lists, const char *key, json_t *one);

#endif
