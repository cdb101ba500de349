/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a QR code (ISO/IEC 18004), by libqrencode. Only the modules are made; the page and the
 * command line draw them. Used by the role accounts for the secret of an authenticator; nothing of
 * the text stays in memory except the result. It allocates, so it must not be used in the packet
 * path.
 */
#ifndef SEKISHO_ACCOUNTS_QR_H
#define SEKISHO_ACCOUNTS_QR_H

#include "appliance/base/json.h"

#define QR_TEXT 200u /* longest text in bytes */

/* The rows from the top, each a text of '0' (light) and '1' (dark), with as many characters as
 * there are rows: 21 to 57, without the light border. Owned by the caller. NULL: the text is empty
 * or longer than QR_TEXT, or memory is out; then only the text itself can be shown. */
json_t *qr_rows(const char *text);

#endif
