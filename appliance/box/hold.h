/* SPDX-License-Identifier: Apache-2.0 */
/* A device that is the box's and of no policy: in the data namespace, down. */
#ifndef SEKISHO_BOX_HOLD_H
#define SEKISHO_BOX_HOLD_H

#include "appliance/base/err.h"
#include "appliance/box/box.h"

/* Out of the first namespace. 0 also where it is not there; negative errno. */
int box_hold(const struct box_spaces *s, const char *device, struct err *e);

#endif
