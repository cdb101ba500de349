/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of IEC 60870-5-104 as rows name them: a type by its number, S and U frames by the first
 * byte of their control field. */
#ifndef SEKISHO_DPI_IEC104_WORDS_H
#define SEKISHO_DPI_IEC104_WORDS_H

enum iec104_space { IEC104_IOA, IEC104_SPACES };

/* The targets, in the order of the vocabulary. */
enum iec104_target { IEC104_CA, IEC104_ORIGINATOR, IEC104_CAUSE, IEC104_QUALIFIER };

#define IEC104_CA_ALL 65535u /* all stations behind that address */
/* bit of a qualifier: the command is only selected, not executed */
#define IEC104_SELECT 0x100u
/* a counter interrogation C_CI_NA_1 that freezes or resets counters */
#define IEC104_FREEZES 301u
#define IEC104_SAYS(ctl) (1000u + (ctl)) /* a U or S frame */

/* Types that the code treats specially; types.def lists all. */
enum iec104_type {
	IEC104_C_CI = 101,
	IEC104_C_TS = 104,
	IEC104_P_ME_FIRST = 110,
	IEC104_P_ME_LAST = 112,
	IEC104_F_SG = 125,
};

/* First byte of a control field: S frames, and the functions of U frames. */
enum iec104_says {
	IEC104_S = 0x01,
	IEC104_STARTDT_ACT = 0x07,
	IEC104_STARTDT_CON = 0x0b,
	IEC104_STOPDT_ACT = 0x13,
	IEC104_STOPDT_CON = 0x23,
	IEC104_TESTFR_ACT = 0x43,
	IEC104_TESTFR_CON = 0x83,
};

#endif
