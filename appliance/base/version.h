/* SPDX-License-Identifier: Apache-2.0 */
/* The version that sekisho and sekishod print. */
#ifndef SEKISHO_BASE_VERSION_H
#define SEKISHO_BASE_VERSION_H

#define SEKISHO_VERSION "0.1.0"

#endif
