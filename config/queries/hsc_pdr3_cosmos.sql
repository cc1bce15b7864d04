-- Forced photometry of HSC-SSP's PDR3, wide layer, around the field of COSMOS2020.
-- Ours: which rows the TransferZ sample was matched to is not known. Errors are called
-- magerr in public queries of PDR3, magsigma in those of PDR2; none of it was tried, nor whether the wide
-- layer covers the field.
SELECT
    f.object_id, f.ra, f.dec,
    f.g_cmodel_mag, f.r_cmodel_mag, f.i_cmodel_mag, f.z_cmodel_mag, f.y_cmodel_mag,
    f.g_cmodel_magerr AS g_cmodel_magsigma, f.r_cmodel_magerr AS r_cmodel_magsigma,
    f.i_cmodel_magerr AS i_cmodel_magsigma, f.z_cmodel_magerr AS z_cmodel_magsigma,
    f.y_cmodel_magerr AS y_cmodel_magsigma,
    f.a_g, f.a_r, f.a_i, f.a_z, f.a_y
FROM pdr3_wide.forced AS f
WHERE f.isprimary
    AND f.ra BETWEEN 149.2 AND 151.1
    AND f.dec BETWEEN 1.3 AND 3.2
    AND {page}
ORDER BY f.object_id
