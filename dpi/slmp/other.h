/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of forms that no session here has: 1E, and those by which the buffers of an Ethernet module are read and written (subheaders 60 to
 * 62). Many servers know 1E beside 3E. Here it is only told that something is such a frame, and what it would do by the commands of 3E.
 * Part of the SLMP enforcer, used by nobody else. Pure; knows no policy.
 *
 *   1E      subheader, PC number, monitoring timer, and then in binary number (4 bytes) and code (2) of a device, in ASCII code and number
 *   buffer  subheader, 00, numbers
 */
#ifndef SEKISHO_DPI_SLMP_OTHER_H
#define SEKISHO_DPI_SLMP_OTHER_H

#include "dpi/protocol.h"

#define SLMP_OTHER_MIN 12u /* bytes, or pairs of digits, by which one that names a device is told */

/* Whether one begins at `p`, of `left` bytes, by the device that it names; *ret_service: a command that does as much. */
bool slmp_other_names(const uint8_t *p, size_t left, bool ascii, uint32_t *ret_service);
/* The same of any of them, however little tells it from other bytes: for a place where a receiver begins to read. */
bool slmp_other_begins(struct bytes b, uint32_t *ret_service);

#endif
