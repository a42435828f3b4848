"""Panels with missing cells: the choices of ``missing=``, estimation on what is observed, results of imputations pooled."""
