-- Forced photometry of HSC-SSP's PDR2, wide layer, around the field of COSMOS2020.
-- Ours: which rows the TransferZ sample was matched to is not known. Magnitudes as in the
-- public code of the authors of Soriano et al. 2024; a_g to a_y, Galactic extinctions in mag, as in public
-- code of others. Whether the wide layer covers the field was not tried.
-- sdssshape_psf_shape11, 22, 12: second moments of the point-spread function at the object in
-- arcsec2, of table forced2, as public queries of both releases ask for them; the join was not tried.
SELECT
    f.object_id, f.ra, f.dec,
    f.g_cmodel_mag, f.r_cmodel_mag, f.i_cmodel_mag, f.z_cmodel_mag, f.y_cmodel_mag,
    f.g_cmodel_magsigma, f.r_cmodel_magsigma, f.i_cmodel_magsigma, f.z_cmodel_magsigma,
    f.y_cmodel_magsigma,
    f.a_g, f.a_r, f.a_i, f.a_z, f.a_y,
    s.g_sdssshape_psf_shape11, s.g_sdssshape_psf_shape22, s.g_sdssshape_psf_shape12,
    s.r_sdssshape_psf_shape11, s.r_sdssshape_psf_shape22, s.r_sdssshape_psf_shape12,
    s.i_sdssshape_psf_shape11, s.i_sdssshape_psf_shape22, s.i_sdssshape_psf_shape12,
    s.z_sdssshape_psf_shape11, s.z_sdssshape_psf_shape22, s.z_sdssshape_psf_shape12,
    s.y_sdssshape_psf_shape11, s.y_sdssshape_psf_shape22, s.y_sdssshape_psf_shape12
FROM pdr2_wide.forced AS f
LEFT JOIN pdr2_wide.forced2 AS s ON s.object_id = f.object_id
WHERE f.isprimary
    AND f.ra BETWEEN 149.2 AND 151.1
    AND f.dec BETWEEN 1.3 AND 3.2
    AND {page}
ORDER BY f.object_id
