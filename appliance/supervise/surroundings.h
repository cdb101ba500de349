/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's knowledge of the box as JSON (docs/json.md). The caller owns the objects. */
#ifndef SEKISHO_SUPERVISE_SURROUNDINGS_H
#define SEKISHO_SUPERVISE_SURROUNDINGS_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

json_t *json_site(const struct supervisor *s);
json_t *json_generation(const struct supervisor *s);
/* Adds to `j` the box, the site and the moment. The digest is the one that was read back from
 * the kernel. */
void json_moment(const struct supervisor *s, json_t *j);
/* The supervisor's part of control's answer to the question of this name. */
json_t *json_box(struct supervisor *s, enum box_what what);

/* surroundings.c: the box's links as they are now, for people */
json_t *json_interfaces(const struct supervisor *s);
/* The hosts for which the kernel answers ARP and neighbour discovery, by interface; null when that
 * cannot be read. */
json_t *json_answering(const struct supervisor *s);
/* The peers that the box may reach from the admin namespace, by the kernel's rules; null when these
 * cannot be read. */
json_t *json_reach(const struct supervisor *s);
/* Differences from box.cfg, and additional objects in the data namespace, as in "differences"
 * of verify. */
json_t *json_surroundings(const struct supervisor *s);

#endif
