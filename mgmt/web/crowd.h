/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has to go when places for connections get few, and who comes next where places for questions are. Connecting costs a stranger nothing, nor does a request that never ends or an answer that he does
 * not take, so that strangers could hold every place for as long as they like; who has shown the token, or waits for the box, is never sent away.
 */
#ifndef SEKISHO_MGMT_WEB_CROWD_H
#define SEKISHO_MGMT_WEB_CROWD_H

#include <stddef.h>

#include "mgmt/web/client.h"

/* Of the network that holds the most places, the stranger that holds one longest. NULL when there is no stranger. */
struct client *crowd_victim(struct client *all, size_t n);
/*
 * Of those who wait to ask as strangers, who does so now: at most `most` at a time and `each` from one host. First whoever's host has the fewest under
 * way, so that who comes from anywhere else goes before however many of one host; then who has waited longest. NULL: nobody may.
 */
struct client *crowd_next(struct client *all, size_t n, unsigned most, unsigned each);

#endif
