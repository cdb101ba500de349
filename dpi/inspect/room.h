/* SPDX-License-Identifier: Apache-2.0 */
/* Room in the pool for what a stream must keep: who keeps too much gives way. */
#ifndef SEKISHO_DPI_INSPECT_ROOM_H
#define SEKISHO_DPI_INSPECT_ROOM_H

#include "dpi/inspect/crossing.h"

/* Room for `bytes` more of this packet's direction, made if need be; before any of them is judged. */
bool room_make(struct crossing *x, size_t bytes);

#endif
