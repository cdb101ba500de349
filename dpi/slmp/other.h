/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of forms that this enforcer does not accept: 1E, and those that read and write the buffers
 * of an Ethernet module (subheaders 60 to 62). Many servers accept 1E besides 3E. This module only
 * recognises such a frame and says what it would do, in commands of 3E. Part of the SLMP enforcer,
 * used by nobody else. Pure; knows no policy.
 *
 *   1E      subheader, PC number, monitoring timer, and then in binary number (4 bytes) and code
 *           (2) of a device, in ASCII code and number
 *   buffer  subheader, 00, numbers
 */
#ifndef SEKISHO_DPI_SLMP_OTHER_H
#define SEKISHO_DPI_SLMP_OTHER_H

#include "dpi/protocol.h"

/* bytes, or pairs of digits, that are needed to recognise a frame that names a device */
#define SLMP_OTHER_MIN 12u

/* Whether such a frame begins at `p`, of `left` bytes, judged by the device that it names.
 * *ret_service: the 3E command with the same effect. */
bool slmp_other_names(const uint8_t *p, size_t left, bool ascii, uint32_t *ret_service);
/* Whether `b` may begin with any such frame, even if little distinguishes it from other bytes. For
 * a position where a receiver begins to read. */
bool slmp_other_begins(struct bytes b, uint32_t *ret_service);

#endif
