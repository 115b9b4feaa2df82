/** The number all numerics are done in: float, or double in a -DDLG_DOUBLE=ON build of the same sources. */
#ifndef DLG_MATH_REAL_H
#define DLG_MATH_REAL_H

#ifdef DLG_DOUBLE
typedef double dlg_real;
#define DLG_REAL_NAME "float64"
#else
typedef float dlg_real;
#define DLG_REAL_NAME "float32"
#endif

#endif
