/* SPDX-License-Identifier: Apache-2.0 */
/* The cards of a box as a backup has them, and as a restore compares them. */
#ifndef SEKISHO_SEAL_CARDS_H
#define SEKISHO_SEAL_CARDS_H

#include "appliance/base/json.h"

/* {"device","mac"} of each card that a box has now, from the answer to `status`; a
 * new reference. */
json_t *cards_of_box(const json_t *status);

#endif
