/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a QR code (ISO/IEC 18004), by libqrencode: the modules alone, which the page and the
 * command line draw in their own ways. Of the role accounts, for the secret of an authenticator;
 * nothing of the text stays in memory but what is returned. Not for the packet path: it allocates.
 */
#ifndef SEKISHO_ACCOUNTS_QR_H
#define SEKISHO_ACCOUNTS_QR_H

#include "appliance/base/json.h"

#define QR_TEXT 200u /* bytes of a text, at most */

/* Its rows from the top, each a text of as many '0' (light) and '1' (dark) as there are rows,
 * without the light border; 21 to 57 of them. The caller owns it. NULL: the text is empty or longer
 * than QR_TEXT, or there was no memory; then the text itself is all there is to show. */
json_t *qr_rows(const char *text);

#endif
