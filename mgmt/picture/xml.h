/* SPDX-License-Identifier: Apache-2.0 */
/* Text into XML: what names and labels hold is text there and nothing else, and steers neither the reader's eye nor his program. */
#ifndef SEKISHO_MGMT_PICTURE_XML_H
#define SEKISHO_MGMT_PICTURE_XML_H

#include <stdio.h>

void xml_text(FILE *to, const char *text);

#endif
