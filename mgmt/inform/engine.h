/* SPDX-License-Identifier: Apache-2.0 */
/* By what a receiver knows this box for good: an engine ID of RFC 3411, 5, drawn once and kept with the ledger. */
#ifndef SEKISHO_MGMT_INFORM_ENGINE_H
#define SEKISHO_MGMT_INFORM_ENGINE_H

#include <stdint.h>

#include "appliance/base/err.h"

#define ENGINE_BYTES 17u

/* From the folder's file; a new one where there is none of this form. 0 or negative errno: it could not be kept. */
int engine_id(int dirfd, uint8_t ret[ENGINE_BYTES], struct err *e);

#endif
