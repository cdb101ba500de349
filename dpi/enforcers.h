/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of protocol enforcers, made of appliance/wire/protocols.def. `enforcer_of` itself is
 * declared in protocol.h; this header adds what only the inspector uses.
 */
#ifndef SEKISHO_DPI_ENFORCERS_H
#define SEKISHO_DPI_ENFORCERS_H

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

/* The reason for ending a flow of protocol `p` whose bytes cannot be cut into PDUs. */
enum reason enforcer_malformed(enum protocol p);

#endif
