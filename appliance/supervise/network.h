/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, links and routes that somebody else changed. */
#ifndef SEKISHO_SUPERVISE_NETWORK_H
#define SEKISHO_SUPERVISE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"

/* What a comparison of the network finds, and which of it the one before did not: that alone is news. Supervisor only. */

#define FOUND_MOST 4096u /* remembered of one comparison */

/* A set of texts: an object with each as a key, in the order in which they were found. NULL where memory was out: it has none. */
json_t *found_new(void);
void found_note(json_t *set, const char *text);
bool found_has(const json_t *set, const char *text);
/*
 * Those of `set` that `before` does not have, "a; b; +3": as many as `out`, of more than 64 bytes, has room for, and how many there are
 * besides. Returns how many they are.
 */
size_t found_news(json_t *set, const json_t *before, char *out, size_t size);

#endif
