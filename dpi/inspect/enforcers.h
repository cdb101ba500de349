/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row table of protocol enforcers. Adding one: its file, and its row in enforcers.c. `enforcer_of` itself is declared in
 * protocol.h; this header adds what only the inspector asks.
 */
#ifndef SEKISHO_DPI_INSPECT_ENFORCERS_H
#define SEKISHO_DPI_INSPECT_ENFORCERS_H

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

/* Why a flow ends whose bytes cannot be framed as `p`. */
enum reason enforcer_malformed(enum protocol p);

#endif
