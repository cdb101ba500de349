/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes of a generation, tried where nobody is. Supervisor only. */
#ifndef SEKISHO_BOX_SCRATCH_H
#define SEKISHO_BOX_SCRATCH_H

#include "appliance/base/err.h"
#include "appliance/box/box.h"

/* Two empty namespaces, kept by their descriptors alone; `home` as in struct box_spaces. 0 or negative errno. */
int scratch_open(int home, struct box_spaces *ret, struct err *e);
/* Whether box_set would do, as it would tell it; box_try has been asked before. Changes nothing of the box. */
int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e);

#endif
