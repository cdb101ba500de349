/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box's links for people, as JSON (docs/json.md). The caller owns the objects; each is null
 * when it cannot be read.
 */
#ifndef SEKISHO_BOX_LINKS_JSON_H
#define SEKISHO_BOX_LINKS_JSON_H

#include "appliance/base/json.h"
#include "appliance/box/box.h"

struct box_spaces;
struct ir;

/* The box's links as the kernel has them now. The caller owns the objects; each is null when it
 * cannot be read. */
json_t *box_interfaces_json(const struct box_spaces *s, const struct ir *ir);
/* The hosts for which the kernel answers ARP and neighbour discovery, by interface. */
json_t *box_answering_json(const struct box_spaces *s, const struct ir *ir);
/* The peers that the box may reach from the admin namespace, by the kernel's rules. */
json_t *box_reach_json(const struct box_spaces *s, const struct ir *ir);

#endif
