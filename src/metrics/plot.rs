//! Confusion matrices and ROC curves as SVG pictures.
