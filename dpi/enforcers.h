/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of protocol enforcers, made of appliance/wire/protocols.def. `enforcer_of` itself is declared in
 * protocol.h; this header adds what only the inspector asks.
 */
#ifndef SEKISHO_DPI_ENFORCERS_H
#define SEKISHO_DPI_ENFORCERS_H

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

/* Why a flow ends whose bytes cannot be framed as `p`. */
enum reason enforcer_malformed(enum protocol p);

#endif
