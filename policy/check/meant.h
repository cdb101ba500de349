/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a value was meant to be, as the language writes it: policy/read/meant.h with the language's own readers. Each returns what to
 * write, in quotes and in the arena, or NULL; *ret_several: it is a list of what stood in one text.
 */
#ifndef SEKISHO_POLICY_CHECK_MEANT_H
#define SEKISHO_POLICY_CHECK_MEANT_H

#include "appliance/wire/notation.h"
#include "policy/check/check.h"
#include "policy/read/meant.h"

/* `network`: of an address and a mask the network is meant, otherwise the host. */
const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several);
/* One that the protocol runs over; PROTO_NONE: any. */
const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several);
const char *meant_span(struct arena *a, const char *text);
/* A number of the list `key`, of whose service the words are `v` (NULL: it is no row of a service). */
const char *meant_number(struct arena *a, const struct vocabulary *v, const char *key, const struct notation *n,
			 const char *text, bool *ret_several);
/* An address in a controller that belongs into another list: its key in *ret_key. */
const char *meant_elsewhere(struct arena *a, const struct vocabulary *v, const char *text, const char **ret_key);
const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several);
const char *meant_command(struct arena *a, const char *text, bool *ret_several);
/* `whole`: a point in time; otherwise a day alone. NULL also for days that there are not. */
const char *meant_date(struct arena *a, const char *text, bool whole);
/* A value of another kind than the key has: what it would be as that key's. */
const char *meant_for_key(struct arena *a, const char *key, const char *text, bool *ret_several);

#endif
