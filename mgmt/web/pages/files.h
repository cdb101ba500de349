/* SPDX-License-Identifier: Apache-2.0 */
/* The files for browsers as bytes in this program, made from mgmt/ui and docs/openapi.json at build
 * time, so nothing is read at run time. */
#ifndef SEKISHO_MGMT_WEB_PAGES_FILES_H
#define SEKISHO_MGMT_WEB_PAGES_FILES_H

#include <stddef.h>

extern const unsigned char ui_page[], ui_script[], ui_style[], ui_icon[], ui_openapi[];
extern const size_t ui_page_size, ui_script_size, ui_style_size, ui_icon_size, ui_openapi_size;

#endif
