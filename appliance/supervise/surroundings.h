/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor knows of the box, as people read it (docs/json.md). Objects are the caller's. */
#ifndef SEKISHO_SUPERVISE_SURROUNDINGS_H
#define SEKISHO_SUPERVISE_SURROUNDINGS_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

json_t *json_site(const struct supervisor *s);
json_t *json_generation(const struct supervisor *s);
/* Of which box, site and moment this is true, into `j`. The digest there is the one that was read back from the kernel. */
void json_moment(const struct supervisor *s, json_t *j);
/* For control's answer to the question of this name. */
json_t *json_box(struct supervisor *s, enum box_what what);

/* surroundings.c: the box's links as they are now, for people */
json_t *json_interfaces(const struct supervisor *s);
/* For whom the kernel answers, of each interface where it has to for somebody; null when that cannot be read. */
json_t *json_answering(const struct supervisor *s);
/* Whom the box itself may reach from the admin namespace, as the kernel has it; null when it cannot be asked. */
json_t *json_reach(const struct supervisor *s);
/* What is not as box.cfg says, and what is in the data namespace beside it: objects as in verify's "differences". */
json_t *json_surroundings(const struct supervisor *s);

#endif
